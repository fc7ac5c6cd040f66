"""The page as a web application, and a REST service beside it.

Everything here needs the extra ``serve``; :func:`novelink.serve.app.create_app`
makes the ASGI application.
"""
