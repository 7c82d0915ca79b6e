// Only hiredis' reply reader, from Debian's libhiredis-dev: sockets are SwiftNIO's.
#include <hiredis/read.h>
