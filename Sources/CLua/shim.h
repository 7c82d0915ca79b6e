// Lua 5.4 as Debian's liblua5.4-dev installs it; pkg-config gives the include path.
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
