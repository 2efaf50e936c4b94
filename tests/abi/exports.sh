#!/bin/sh
# The shared object exports the entry and nothing else.
found=$(nm -D --defined-only "$1" | awk '{print $NF}' | sed 's/@.*//' | sort | tr '\n' ' ')
[ "$found" = "mailplugin_entry_v1 " ] && exit 0
echo "exported: $found(expected: mailplugin_entry_v1)" >&2
exit 1
