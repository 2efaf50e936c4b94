// conformance PLUGIN.so SETTINGS [live]: "live" where SETTINGS lead to a service that answers (live.py).
#include <cppunit/BriefTestProgressListener.h>
#include <cppunit/CompilerOutputter.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/TestRunner.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <iostream>

#include "host.h"

namespace {
mailplugin_entry_fn found_entry = nullptr;
std::string settings_file;
}  // namespace

namespace conformance {
mailplugin_entry_fn entry() {
  return found_entry;
}
const std::string& settings_path() {
  return settings_file;
}
}  // namespace conformance

int main(int argc, char** argv) {
  const bool live = argc == 4 && std::strcmp(argv[3], "live") == 0;
  if (argc != 3 && !live) {
    std::fputs("usage: conformance PLUGIN.so SETTINGS [live]\n", stderr);
    return 2;
  }
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 3;
  }
  void* symbol = dlsym(library, MAILPLUGIN_ENTRY_SYMBOL);
  if (symbol == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 3;
  }
  std::memcpy(&found_entry, &symbol, sizeof symbol);  // POSIX promises it; ISO C++ has no cast for it
  settings_file = argv[2];

  CppUnit::TestResult controller;
  CppUnit::TestResultCollector collected;
  CppUnit::BriefTestProgressListener progress;
  controller.addListener(&collected);
  controller.addListener(&progress);
  CppUnit::TestRunner runner;
  runner.addTest(live ? CppUnit::TestFactoryRegistry::getRegistry("live").makeTest()
                      : CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  runner.run(controller);
  CppUnit::CompilerOutputter(&collected, std::cerr).write();
  return collected.wasSuccessful() && collected.runTests() > 0 ? 0 : 1;
}
