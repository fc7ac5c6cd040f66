"""Relations for other programs: tables, knowledge graphs, INDRA statements.

These formats are written, never read: they hold relations without the text
they came from. :mod:`novelink.formats` offers them by name.
"""
