"""Run the real AWS CLI many times over, and import it once.

The program `aws` on the path hands its arguments, environment and files to a process that has
imported the AWS CLI, which forks itself for each call: 0.1 s instead of 0.8 s.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.builders import ROOT_FOLDER
from tests.support.processes import unmeasured

_PROGRAM = """#!{python} -SE
import json, os, socket, sys
calls = socket.socket(socket.AF_UNIX)
calls.connect({address!r})
call = [sys.argv[1:], dict(os.environ), os.getcwd()]
socket.send_fds(calls, [json.dumps(call).encode()], [0, 1, 2])
calls.shutdown(socket.SHUT_WR)
sys.exit(int(calls.recv(16)))
"""


@contextmanager
def aws_cli(folder: Path) -> Iterator[Path]:
    """Yield the folder in which a program named `aws` is the AWS CLI."""
    program = folder / "aws-cli" / "aws"
    program.parent.mkdir()
    address = str(program.with_name("calls"))
    program.write_text(_PROGRAM.format(python=sys.executable, address=address))
    program.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.aws_cli", address],
        cwd=ROOT_FOLDER,
        env=unmeasured(),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        try:
            yield program.parent
        finally:
            process.kill()


def _serve(address: str) -> None:
    from awscli.clidriver import create_clidriver  # noqa: PLC0415  only this process needs it

    driver = create_clidriver()
    driver.session.get_component("data_loader").load_service_model("iam", "service-2")
    with socket.socket(socket.AF_UNIX) as calls:
        calls.bind(address)
        calls.listen()
        print("ready", flush=True)  # noqa: T201
        while True:
            call, _ = calls.accept()
            with call:
                content, files, _, _ = socket.recv_fds(call, 1 << 20, 3)
                while part := call.recv(1 << 20):
                    content += part
                process = os.fork()
                if process == 0:
                    arguments, variables, folder = json.loads(content)
                    for number, file in enumerate(files):
                        os.dup2(file, number)
                    os.environ.clear()
                    os.environ.update(variables)
                    os.chdir(folder)
                    code = driver.main(arguments)
                    sys.stdout.flush()
                    os._exit(code)
                for file in files:
                    os.close(file)
                code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                call.send(str(code).encode())


if __name__ == "__main__":
    _serve(sys.argv[1])
