"""The measured subjects, one module each: dynclient, its limit, and peers, used as their manuals say.

``imported(task)`` imports it, ``loaded(task)`` makes a client of ``task["path"]`` that is ready to call,
``called(client, task)`` gets the state of one phone call, ``calls(task)`` are the calls that are measured, by name.
Each runs in a process of its own, in an environment that has it alone.

Rule: importing such a module imports nothing of the subject, and little else: it would be missing from the figures.
"""
