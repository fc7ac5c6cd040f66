"""A local server that behaves as NCBI's services do, on good and bad days."""

import pytest
from ncbi_server import NcbiServer

from novelink.annotate.pubtator3 import PubTatorSettings


@pytest.fixture
def ncbi():
    with NcbiServer() as server:
        yield server


@pytest.fixture
def settings(ncbi, tmp_path):
    """Settings for the local server; waiting times of milliseconds."""

    def make(**changes):
        values = {
            "url": f"{ncbi.url}/pubtator3-api",
            "text_url": f"{ncbi.url}/RESTful",
            "eutils_url": f"{ncbi.url}/eutils",
            "cache": tmp_path / "cache",
            "lock_folder": tmp_path / "locks",
            "requests_per_second": 1000,
            "timeout_seconds": 10,
            "attempts": 3,
            "wait_seconds": 0.001,
            "wait_limit_seconds": 0.01,
            "poll_seconds": 0.001,
            "poll_limit_seconds": 0.01,
            "job_limit_seconds": 5,
        }
        return PubTatorSettings(**(values | changes))

    return make
