"""Run the code of one page, block by block; see tests/documents.py.

Reads ``{"script": name, "blocks": [source, ...]}`` and writes what each block printed.
"""

import contextlib
import io
import json
import linecache
import sys

import graphc as gc


def main() -> None:
    job = json.load(sys.stdin)
    script, first = job["script"], 1
    whole = "".join(job["blocks"])
    linecache.cache[script] = (len(whole), None, whole.splitlines(keepends=True), script)
    namespace = {"__name__": "__main__", "__file__": script}
    printed = []
    for source in job["blocks"]:
        printed.append(_run("\n" * (first - 1) + source, script, namespace))
        first += source.count("\n")
    json.dump(printed, sys.stdout)


def _run(source: str, script: str, namespace: dict[str, object]) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(source, script, "exec"), namespace)
        except gc.GraphcError as error:
            output.write(f"{type(error).__name__}: {error}\n")
    return output.getvalue()


if __name__ == "__main__":
    main()
