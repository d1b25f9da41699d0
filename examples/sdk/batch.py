"""A batch job in one container: input in, work, output followed live, result out, its own exit code.

Usage: python batch.py IMAGE   (any image with a shell; DOCKER_HOST names the daemon)
"""

from __future__ import annotations

import io
import sys
import tarfile

import docker

WORK = """
echo "sorting $(wc -l < /tmp/words.txt) words"
sort /tmp/words.txt > /tmp/sorted.txt
echo "a warning goes to its own stream" >&2
touch /tmp/ready
while [ ! -e /tmp/seen ]; do sleep 0.1; done
exit 3
"""


def packed(name: str, content: bytes) -> bytes:
    """A tar archive of one file, as put_archive takes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def unpacked(archive: bytes) -> bytes:
    """The content of an archive's only file."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        file = opened.extractfile(opened.getmembers()[0])
        return file.read() if file else b""


def main(image: str) -> int:
    """Runs the batch and returns its exit code."""
    client = docker.from_env(timeout=300)  # a Fargate task takes its time to start
    container = client.containers.create(image, ["sh", "-c", WORK])
    try:
        container.put_archive("/tmp", packed("words.txt", b"pear\napple\nfig\n"))  # before it starts
        container.start()
        looked = container.exec_run(["sh", "-c", "while [ ! -e /tmp/ready ]; do sleep 0.1; done; cat /tmp/sorted.txt"])
        print("seen from inside:", looked.output.decode().split())
        container.exec_run(["touch", "/tmp/seen"])
        for line in container.logs(stream=True, stdout=True, stderr=False):
            print("stdout:", line.decode().rstrip())
        print("stderr:", container.logs(stdout=False, stderr=True).decode().rstrip())
        code = int(container.wait()["StatusCode"])
        chunks, _ = container.get_archive("/tmp/sorted.txt")
        print("result:", unpacked(b"".join(chunks)).decode().split())
        print("exit code:", code)
        return code
    finally:
        container.remove(force=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
