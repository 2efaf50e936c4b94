// The one main of every unit test program: runs all registered suites, names the failures, exits 1 on any.
#include <cppunit/BriefTestProgressListener.h>
#include <cppunit/CompilerOutputter.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/TestRunner.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  CppUnit::TestResult controller;
  CppUnit::TestResultCollector collected;
  CppUnit::BriefTestProgressListener progress;
  controller.addListener(&collected);
  controller.addListener(&progress);
  CppUnit::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  runner.run(controller, argc > 1 ? std::string(argv[1]) : std::string());
  CppUnit::CompilerOutputter(&collected, std::cerr).write();
  return collected.wasSuccessful() && collected.runTests() > 0 ? 0 : 1;
}
