"""Takes the screenshots of README and docs from the real page, in Chromium.

python docs/images/make.py [--model NAME]     relations that a model finds in the examples
python docs/images/make.py --decided          relations that people decided on
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from novelink.curation import curated, read_decisions
from novelink.extractor import Extractor
from novelink.formats import read
from novelink.view.page import page_html

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples" / "abstracts.pubtator"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]

# file name → width, height, light or dark
SHOTS = {
    "page.png": (1400, 850, "light"),
    "page-dark.png": (1400, 850, "dark"),
    "page-phone.png": (390, 844, "light"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--decided", action="store_true")
    parser.add_argument("--browser", default=shutil.which("chromium"))
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    if options.decided:
        documents = list(
            curated(read(EXAMPLE), read_decisions(HERE / "decided.json"), incomplete="drop")
        )
    else:
        extractor = Extractor.load(options.model)
        documents = list(extractor.extract(read(EXAMPLE), evidence=extractor.gives_evidence))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        path.write_text(page_html(documents, title="Three abstracts"), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=options.browser, args=ARGUMENTS)
        for name, (width, height, scheme) in SHOTS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]")
            page.locator("#table .row").first.click()
            page.click("#accept")
            page.locator("#table .row").nth(1).click()
            if width < 500:
                page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=HERE / name)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
