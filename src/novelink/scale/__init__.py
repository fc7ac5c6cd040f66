"""Corpus runs: any number of files and archives, all cores or a cluster, resumable.

Data flows one way: :mod:`corpus` finds files, :mod:`container` opens them,
:mod:`splitting` cuts them into documents, :mod:`blocks` gathers these into units
of work, an engine (:mod:`pool`, :mod:`ray_engine`) hands each block to a
:mod:`worker` that writes one part, and :mod:`run` keeps the :mod:`journal`.
:mod:`results` opens what was written.
"""
