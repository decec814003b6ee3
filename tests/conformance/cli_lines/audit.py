# SPDX-License-Identifier: Apache-2.0
"""audit. The files are in the folder that the lines are played in, each server's own."""
from cli_lines._line import lines

FILES = {"options.json": '{"file_path": "discard"}'}

LINES = lines(
    """
    audit list
    audit list -format=json
    audit enable
    audit enable file
    audit enable nope
    audit enable socket
    audit enable file bad
    audit enable file file_path=stdout extra
    audit enable -output-curl-string file a=b
    audit enable file file_path=stdout
    audit enable file file_path=stdout
    audit enable -path=two/ -description='for people' -local file @options.json
    audit list
    audit list -detailed
    audit list -format=json
    audit list -format=yaml
    audit list x
    audit list -format=json -detailed
    audit disable
    audit disable nope
    audit disable two/
    audit disable file
    audit list
    audit list -output-policy
    audit enable -output-policy file
    audit disable -output-curl-string x
    """
)
