"""Which policy folder is meant?"""

from tests.cli.shell import Run


def test_no_folder_and_no_file_is_3(run: Run) -> None:
    assert run("policy", "check", "nowhere").code == 3
    assert run("policy", "test").code == 3
