# SPDX-License-Identifier: Apache-2.0
"""policy fmt: what it makes of policies, with their comments."""
from cli_lines._line import Line

TEXTS = [
    'path "a" {capabilities=["read","list"]\nmin_wrapping_ttl="1s"}\n',
    '# c1\n\n\n\npath "a" { capabilities = ["read"] } # tail\npath "b" {\n  capabilities = [\n"read",\n"list"]\n  allowed_parameters = { "a" = ["x"] \n "*" = [] }\n}\n',
    'path "x" {\n policy = "read"\n\n\n # hello\n capabilities = [ "read" ] # why\n}',
    "garbage {",
    "",
    "\n\n",
    "# only a comment\n",
    '/* block\n comment */\npath "a" {}\n// x\nname = "n"\nlonger_name = 5\n',
    '/* block\n comment */\npath "a" {}\npath "b" {}\n\npath "c" {}\n// x\nname = "n"\n',
    'path "a" {\n  capabilities = ["deny"]\n  allowed_parameters = {}\n denied_parameters {\n "k" = ["v","w"]\n}\n}\n',
    'path "a" {\n capabilities = ["read",]\n required_parameters = ["a",\n # c\n "b"]\n}\n\n\n\n# end\n',
    'path "a" {\n capabilities = ["read", # r\n "list", # longer\n"update"] # done\n}\n# end\n# of it\n',
    '# one\n# two\n\n# three\npath "secret/data/webapp/*" {\n  # inside\n  capabilities = ["read", "list"]\n}\n\n# four\npath "secret/metadata/webapp/*" {\n  capabilities = ["read", "list"]\n  # at the end\n}\n',
    'path "a" {\n\n\n  # alone\n\n  capabilities = ["read"]\n\n  # alone too\n\n}\n',
    'path "a" {\n  capabilities = ["read"]\n  min_wrapping_ttl = "1s" # one\n  max_wrapping_ttl = "90s" # two\n\n  allowed_parameters = { "a" = [] }\n}\npath "b" { policy = "write" }\n',
    'path "a" { capabilities = [] }\npath "b/{{identity.entity.id}}/*" { capabilities = ["read"] }\n',
    'name = "x"\npath "a" { capabilities = ["read"] }\n',
    'path "a" {\n  allowed_parameters = {\n    "x" = [1, 2.5, true]\n    "yy" = ["a"]\n  # c\n    "zzz" = []\n  }\n  capabilities = ["read"]\n}\n',
    'path "a" {}\r\npath "b" {}\r\n',
    'path "a" {\n\tcapabilities\t=\t["read"]\n}\n',
]
FILES = {f"{number}.hcl": text for number, text in enumerate(TEXTS)}
FILES["folder.json"] = '{"path": {"a": {"capabilities": ["read"]}}}'

LINES = [Line("policy fmt"), Line("policy fmt a b"), Line("policy fmt nofile"), Line("policy fmt -"), Line("policy fmt -x 1.hcl")]
for n in range(len(TEXTS)):
    # What came of it is seen by writing it and reading it back as data.
    LINES += [Line(f"policy fmt {n}.hcl", only="vault"), Line(f"write cubbyhole/f text=@{n}.hcl", only="vault"), Line("read -field=text cubbyhole/f", only="vault")]
LINES.append(Line("policy fmt folder.json", differs="cli-fmt-json", only="vault"))
