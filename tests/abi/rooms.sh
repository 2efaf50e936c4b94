#!/bin/sh
# What the include paths of the targets cannot forbid: relative includes, and Poco in headers that must not show it.
cd "$1" || exit 1
fail=0
if grep -rnE '#include "(\.\./|/)' plugin host-sim include; then
  echo "relative or absolute includes go around the rooms" >&2
  fail=1
fi
if grep -nE '#include [<"]Poco' plugin/mail/*.h plugin/boundary/*.h include/mailplugin/*.h; then
  echo "Poco shows in a header of mail/, boundary/ or include/" >&2
  fail=1
fi
if grep -rnE '#include "(plugin|http|store|mime|boundary|mail)/' host-sim; then
  echo "host-sim includes a room of the plugin" >&2
  fail=1
fi
exit $fail
