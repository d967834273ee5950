"""Plain words and their synonyms in APIs: tables for :mod:`dynclient.inspection.search`.

Rule: no table is about one API. The words of a line have the same meaning in most APIs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

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
    """a all am an and any are as at be been being but by can could did do does doing done each every everything for
    from give had has have having he her here him his how i if in into is it its just let me many mine much my need
    no nobody not now of off on one only or our out over own please she should so some somebody someone something than
    that the their them then there these they this those to too up us use used using very want was
    we were what when where which while whom whose why will with without would you your"""
)
PREPOSITIONS = _words("about at by for from in inside into of on onto out to with within")
# Idioms, each with the verb that APIs use for it.
IDIOMS = tuple(
    (expression(rf"\b(?:{idiom})\b"), f" {word} ")
    for idiom, word in (
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
        ("how (?:much|many) (?:time|often)", "count"),
    )
)
# The verb of a method, whatever the operation is called.
DOES = {"DELETE": ["delete"], "PATCH": ["update"], "PUT": ["update"]}
_UNDO = expression(
    r"(?i)(?<![a-z])un(?=archiv|assign|attach|block|follow|lik|link|lock|mark|pin|publish|shar|star|subscrib|tag|watch)"
)
# Words that mean the same, or almost, in most APIs: verbs, then nouns.
_ALIKE = tuple(
    frozenset(stem(word) for word in line.split())
    for line in (
        "get retrieve fetch read show view see look check display print",
        "list find search browse lookup query",
        "create add new make post register open start insert generate",
        "update change edit modify set patch put replace rename adjust fix correct",
        "delete remove cancel destroy erase drop revoke discard throw kick take uninstall detach clear",
        "stop end cancel halt terminate abort close finish hang expire",
        "pause freeze suspend disable block deactivate lock snooze",
        "resume continue unfreeze enable activate unblock unlock",
        "run execute exec trigger start launch dispatch",
        "rerun restart retry redo repeat",
        "undo revert rollback reverse restore unarchive undelete back",
        "send post write say tell deliver notify submit",
        "give grant assign allow add share put",
        "approve accept confirm allow review",
        "reject deny decline refuse dismiss",
        "download export get",
        "upload import attach add",
        "invite add ask",
        "talk communicate network",
        "buy purchase order",
        "refund return reverse",
        "transfer move migrate hand",
        "copy duplicate clone fork",
        "save store keep",
        "schedule later delay plan",
        "verify validate check test",
        "archive hide close",
        "train tune teach",
        "draw paint generate",
        "ask prompt question complete chat",
        "mine authenticated own",
        "left remaining quota limit rate",
        "person people user member colleague coworker teammate participant collaborator who employee",
        "picture image photo drawing icon avatar",
        "text message sms",
        "phone call dial ring telephone",
        "bill invoice billing",
        "money balance funds cost payment amount credit",
        "pay payment charge cost spend spent paid price fee expense",
        "next upcoming future",
        "machine node server host computer",
        "disk storage volume space",
        "file document attachment",
        "folder directory",
        "company organization org workspace team",
        "app application program",
        "password secret credential key token",
        "failed failure error fault problem broken",
        "log history event output activity happened",
        "history past old previous earlier",
        "usage metric statistic stats traffic consumption consume quota limit",
        "visitor visit view traffic looked",
        "comment reply answer response note",
        "label tag",
        "speech audio voice sound aloud speak spoken",
        "transcript transcription dictation",
        "email mail",
        "address location place",
        "channel conversation room chat",
        "emoji reaction thumbs like",
        "customer client buyer",
        "discount coupon promotion voucher",
        "job task run build pipeline workflow",
        "access permission right role allowed",
        "version release revision",
        "setting configuration preference option config",
        "online presence away",
        "vector embedding",
        "harmful moderation abuse offensive",
        "wait pending queue schedule",
        "repository repo project",
        "branch ref",
        "shop store",
    )
)
SAME = {word: frozenset().union(*(line for line in _ALIKE if word in line)) for line in _ALIKE for word in line}
"""The stem of a word, and the stems of those that mean the same."""
# Verbs by the methods that do what they say; a query is about those of its first verb.
METHODS: Mapping[str, frozenset[str]] = {
    verb: methods
    for verbs, methods in (
        (
            """browse check count display download export fetch find get how is list look read retrieve search see show
            view what when where which who""",
            SAFE,
        ),
        (
            "delete destroy detach discard drop erase kick remove revoke throw unassign uninstall",
            frozenset({"DELETE", "POST"}),
        ),
        (
            "cancel close disable end hang leave quit reset stop terminate undo",
            frozenset({"DELETE", "PATCH", "POST", "PUT"}),
        ),
        (
            """add ask block book build buy call copy create draw follow generate give grant invite make message new
            open order phone post publish purchase put refund register request run say send share speak start submit
            take text train trigger upload""",
            frozenset({"POST", "PUT"}),
        ),
        (
            """accept answer approve archive assign change charge confirm edit enable execute fix freeze hide launch
            limit lock mark merge modify move patch pause pay reject remind rename replace rerun restart restore resume
            retry revert save schedule set store touch transfer turn update write""",
            frozenset({"PATCH", "POST", "PUT"}),
        ),
    )
    for verb in verbs.split()
}


def undone(text: str) -> str:
    """``unfollow`` is to remove a follow."""
    return _UNDO.sub("remove ", text)
