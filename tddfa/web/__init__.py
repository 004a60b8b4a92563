"""The page of ``tddfa web``: pictures and clips in a browser, results by tab.

::

    process.py  this process: a folder for the run, a process that serves, its end
    server.py   that process: networks, page, the line with the address
    page.py     what the visitor sees (the only module that knows Gradio's components)
    jobs.py     one upload -> files in a folder of its own; picture_job.py, clip_job.py
    limits.py   how large, how long; kinds.py: what an upload is, by its first bytes
    headers.py  what the visitor's browser may load
    storage.py  uploads and results do not stay
"""
