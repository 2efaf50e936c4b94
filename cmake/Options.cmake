# Language level, warnings and sanitizers: the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# POSIX beside the C++ library (sockets, file modes, signals): ISO mode hides it on glibc otherwise.
add_compile_definitions(_GNU_SOURCE)

set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG") # -O3 costs a third more build time and buys nothing here

option(MAILPLUGIN_WERROR "Warnings are errors" ON)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 warns of std::string's own code: "literal" + string (gcc bugs 105329, 105651).
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(MAILPLUGIN_WERROR)
  add_compile_options(-Werror)
endif()

# "address,undefined" or "thread"; empty for none.
set(MAILPLUGIN_SANITIZE "" CACHE STRING "Sanitizers")
if(MAILPLUGIN_SANITIZE)
  add_compile_options(-fsanitize=${MAILPLUGIN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MAILPLUGIN_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The sanitizers' checks confuse gcc 12's analysis of std::string and std::optional (gcc bug 105562).
    add_compile_options(-Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endif()

set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

# Most of a build's time goes into reading headers: they are precompiled, and the files of a room translated eight at a
# time. Preset dev builds file by file, and so finds one that forgets an include.
option(MAILPLUGIN_QUICK "Precompiled headers, and eight files at a time" OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>) # for ccache
else()
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
set(standard_headers <algorithm> <chrono> <condition_variable> <filesystem> <functional> <map> <memory> <mutex> <optional>
    <set> <sstream> <stop_token> <string> <thread> <unordered_map> <vector>)
function(translate_quickly target)
  if(MAILPLUGIN_QUICK)
    target_precompile_headers(${target} PRIVATE ${standard_headers})
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # A class with members of an unnamed namespace is taken to stand in a header, for its file is included in another.
      # And what gcc 12 inlines of std::string confuses its analysis (gcc bug 105562); clang and preset dev see the rest.
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage -Wno-maybe-uninitialized -Wno-array-bounds
                             -Wno-stringop-overflow -Wno-stringop-overread)
    endif()
  endif()
endfunction()
# Of a CppUnit program: translated quickly, for what it tests is what has to be quick.
function(prepare_test_program target)
  target_precompile_headers(${target} PRIVATE ${standard_headers} <cppunit/TestFixture.h>
                            <cppunit/extensions/HelperMacros.h>)
  if(NOT MAILPLUGIN_SANITIZE) # there it would cost more than it saves
    target_compile_options(${target} PRIVATE -O0)
  endif()
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  target_compile_definitions(${target} PRIVATE CPPUNIT_UNIQUE_COUNTER=__COUNTER__) # by line is not unique in eight files
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${MAILPLUGIN_QUICK} UNITY_BUILD_BATCH_SIZE 8)
endfunction()
