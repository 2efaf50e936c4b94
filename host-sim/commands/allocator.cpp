// jemalloc in place of glibc's malloc. A mail is some hundred pieces of memory that one thread takes and another gives
// back: with glibc that was a third of host-sim's CPU, and each thread kept a heap as large as its largest mail ever
// was.

// jemalloc reads this before main (jemalloc(3), "TUNING"). Two arenas: what was given back is used again by whoever
// comes next, and memory stays small with any number of threads.
extern "C" __attribute__((visibility("default"))) const char* malloc_conf;
const char* malloc_conf = "narenas:2";
