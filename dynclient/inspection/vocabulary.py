"""Plain words and their synonyms in APIs: tables for :mod:`dynclient.inspection.search`, some in ``synonyms.txt``.

Rule: no table is about one API.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from dynclient._deferred import expression
from dynclient.http_grammar import SAFE

_SHORTEST_STEM = 3
_ENDINGS = ("ations", "ation", "ating", "ated", "ates", "ate", "ions", "ion", "ings", "ing", "ed", "es", "e", "s")


@lru_cache(8192)
def stem(word: str) -> str:
    """A word in lower case without its ending: that of ``policies`` is that of ``policy``."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    if word[-1:] == word[-2:-1]:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") else word


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS = _words(
    """a actually again all already also am an and another any anymore anything are as at be been being but by certain
    could currently detail details did different do does doing done each else entire ever every everything exactly
    existing for from give had has have having he help her here him his how i if in info information into is it its
    just let like lot many me more most much my named need no nobody not now of off on one only or other our out
    over own particular please really she should single so some somebody someone something specific still than that
    the their them then there these they this those to today tomorrow too up us use used using very want was we were
    what when where which while whom whose why will with without would yet you your"""
)
QUESTIONS = _words("how is what when where which who")
DETERMINERS = _words(
    """a all an another any each every her his its mine my new of one our same some that the their these
    this those your"""
)
PREPOSITIONS = _words("about at by for from in inside into of on onto out to with within")
# Idioms, each with the verb that APIs use for it.
IDIOMS = tuple(
    (expression(rf"\b(?:{idiom})\b"), f" {word} ")
    for idiom, word in (
        ("^(?:please )?how (?:do|can|could|would|should|to)(?: i| we| you)?", ""),
        ("^(?:please )?(?:can|could|would|will) (?:i|we|you)(?! do)", ""),
        ("^(?:i|we)(?:['\u2019]d| would)? (?:want|need|like|wish|have)(?: to)?", ""),
        ("^is there (?:a|any) way to", ""),
        ("(?:can|may) (?:he|she|they|somebody|someone|(?:this|that|the|a|an|my) [a-z]+)", "access permission"),
        ("(?:logged|signed) in|who ?am ?i|myself", "authenticated"),
        ("my", "mine"),
        ("(?:speech|voice|audio|recordings?) (?:in)?to text", "transcription"),
        ("text (?:in)?to (?:speech|voice|audio)", "speech"),
        ("write off", "uncollectible"),
        ("stop(?= [a-z]+ing)", "remove"),
        ("read .*(?:aloud|out loud)", "speak"),
        ("get(?:ting)? rid of|throw(?:ing)? away|take away|no longer needs?|do not need|don't need", "delete"),
        ("(?:gives?|pays?|sends?) (?P<what>[a-z]+ )?back|money back", "refund return"),
        ("turn on|switch on", "enable"),
        ("turn off|switch off", "disable"),
        ("set up", "create"),
        ("look(?:ed|ing)? up", "find"),
        ("hand over|pass on", "transfer"),
        ("allowed to do|may do|can i do", "access permission rules"),
        ("log ?out|sign ?out", "logout session revoke"),
        ("in charge", "assign"),
        ("spin up|bring up|stand up", "create"),
        ("tear down|take down|bring down|shut down|clean up|clear out", "delete"),
        ("roll(?:ed|ing)? back", "rollback"),
        ("kick off|fire off", "start"),
        ("call off|opt out", "cancel"),
        ("top up", "topup"),
        ("sign up", "register"),
        ("by hand|manually", " "),
        ("log into|shell into|ssh into", "exec"),
        ("prs?", "pull request"),
        ("how (?:much|many) (?:time|often)", "count"),
    )
)
# The verb of a method, whatever the operation is called.
DOES = {"DELETE": ["delete"], "PATCH": ["update"], "PUT": ["update"]}
_UNDO = expression(
    r"(?i)(?<![a-z])un(?=archiv|assign|attach|block|follow|lik|link|lock|mark|pin|publish|shar|star|subscrib|tag|watch)"
)
_ALIKE = tuple(
    frozenset(map(stem, group.split()))
    for group in (files(__package__) / "synonyms.txt").read_text(encoding="utf-8").splitlines()
    if not group.startswith("#")
)
SAME = {word: frozenset().union(*(line for line in _ALIKE if word in line)) for line in _ALIKE for word in line}
"""The stem of a word, and the stems of those that mean the same."""
UNSAFE = frozenset({"DELETE", "PATCH", "POST", "PUT"})
CREATE, UPDATE = frozenset({"POST", "PUT"}), frozenset({"PATCH", "POST", "PUT"})
# Verbs by the methods that do what they say; a query is about those of its first verb.
METHODS: Mapping[str, frozenset[str]] = {
    verb: methods
    for verbs, methods in (
        (
            """browse count describe display download export fetch find get how inspect is list look preview read
            retrieve search see show tail view what when where which who""",
            SAFE,
        ),
        (
            "delete destroy detach discard drop erase kick kill remove revoke throw unassign uninstall wipe",
            frozenset({"DELETE", "POST"}),
        ),
        ("can check validate verify", frozenset({"GET", "HEAD", "POST"})),
        ("cancel close disable end hang leave quit reset stop terminate undo", UNSAFE),
        (
            """add ask block book build buy call copy create deploy draw follow generate give grant invite issue launch
            make message new onboard open order phone post protect provision publish purchase put refund register
            report request run say send share speak start submit take text train trigger upload""",
            CREATE,
        ),
        (
            """accept answer approve archive assign change charge configure confirm downgrade edit enable execute fix
            freeze hide label limit lock mark merge modify move patch pause pay reject remind rename replace rerun
            restart restore resume retry revert save schedule set squash store suspend switch tag touch transfer
            turn update upgrade write""",
            UPDATE,
        ),
    )
    for verb in verbs.split()
}


def undone(text: str) -> str:
    """``unfollow`` is to remove a follow."""
    return _UNDO.sub("remove ", text)


def methods_of(verb: str) -> frozenset[str]:
    """The methods that do what a verb says; none if it is not a known verb. To ``reopen`` is to update."""
    if verb not in METHODS and verb.startswith("re") and verb[2:] in METHODS:
        return UPDATE
    return METHODS.get(verb, frozenset())
