"""`check` says which files of certificates cannot be read, for every backend that has some."""

from __future__ import annotations

import pytest

MISSING = "nowhere.pem"

NAMED = {
    "kafka ca": ('type = "kafka"\ntls = true\nca = "{}"', "ca"),
    "kafka certificate": (
        'type = "kafka"\ntls = true\ncertificate = "{}"\nprivate_key = "et.toml"',
        "certificate",
    ),
    "kafka private_key": (
        'type = "kafka"\ntls = true\ncertificate = "et.toml"\nprivate_key = "{}"',
        "private_key",
    ),
    **{
        f"postgres {name}": (
            f'type = "postgres"\nuri = "postgresql://localhost/db?{name}={{}}"',
            f"uri: {name}",
        )
        for name in ("sslrootcert", "sslcert", "sslkey")
    },
    **{
        f"redis {name}": (
            f'type = "redis"\nurl = "rediss://localhost/0?{name}={{}}"',
            f"url: {name}",
        )
        for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
    },
}


@pytest.mark.parametrize("case", NAMED)
def test_a_file_that_is_not_there_is_warned_of(run, config, case):
    text, option = NAMED[case]
    file = config("[backends.a]\n" + text.format(MISSING))
    ran = run("check", file)
    assert ran.code == 0
    assert ran.err == f"warning: backends.a: {option} names a file that does not exist\n"
    assert not run("check", config("[backends.a]\n" + text.format("et.toml"))).err


@pytest.mark.parametrize(
    "text",
    ['type = "kafka"\ntls = true\nca = "probe"', 'type = "postgres"\nuri = "sslrootcert=system"'],
)
def test_a_word_that_stands_for_the_authorities_of_the_system_is_no_file(run, config, text):
    assert not run("check", config("[backends.a]\n" + text)).err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f'uri = "mongodb://localhost/?tls=true&tlsCAFile={MISSING}"', "uri"),
        (f'extra = {{ tls = true, tlsCAFile = "{MISSING}" }}', "tlsCAFile"),
    ],
)
def test_mongo_reads_its_files_at_once_and_says_which_it_cannot(run, config, text, names):
    ran = run("check", config(f'[backends.a]\ntype = "mongo"\n{text}'))
    assert ran.code == 1
    assert f"backends.a: {names} names a file that cannot be read (No such file" in ran.err


def test_files_without_tls_would_not_be_used(run, config):
    ran = run("check", config('[backends.a]\ntype = "kafka"\nca = "et.toml"'))
    assert ran.code == 1
    assert "backends.a.tls: must be true, or ca, certificate and private_key are not " in ran.err


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_the_home_of_an_unknown_user_is_a_problem_of_the_path(run, config, kind):
    ran = run("check", config(f'[backends.a]\ntype = "{kind}"\npath = "~nobody-here/a"'))
    assert ran.code == 1
    assert "backends.a.path: must not begin with the ~ of an unknown user" in ran.err
