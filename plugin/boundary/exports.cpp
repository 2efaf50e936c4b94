// The one symbol that leaves the shared object.
#include "boundary/module.h"

extern "C" mailplugin_status MAILPLUGIN_CALL mailplugin_entry_v1(const mailplugin_host* host,
                                                                 const mailplugin_module** module) {
  return boundary::Module::enter(host, module);
}
