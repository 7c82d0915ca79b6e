/// Debian builds Lua with _FORTIFY_SOURCE, so it raises errors by `__longjmp_chk`. The thread sanitizer intercepts
/// `longjmp` but not that function (the address sanitizer does). It keeps a stack of the functions that each thread has
/// entered, of 65,536 entries and without a check of its end, and takes entries off it only when a function returns or
/// a `longjmp` that it sees leaves the function. Each Lua error that leaves functions of this shim left their entries
/// there for good; after some tens of thousands the sanitizer wrote into whatever memory lies behind that stack.
///
/// This definition stands before that of the C library, also for the Lua library, and takes the way that the sanitizer
/// sees. A build without the thread sanitizer has none of it.
#if defined(__linux__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <setjmp.h>

_Noreturn void __longjmp_chk(jmp_buf place, int value);

_Noreturn void __longjmp_chk(jmp_buf place, int value) { longjmp(place, value); }
#endif
#endif
