#include "check.h"

typedef struct {
  const char *expression;  // in Lua
  const char *result;
} encoding;

static const encoding encodings[] = {
    {"nil", "null"},
    {"json.null", "null"},
    {"1", "1"},
    {"-7", "-7"},
    {"math.mininteger", "-9223372036854775808"},
    {"1.0", "1.0"},
    {"-0.0", "-0.0"},
    {"2^53", "9007199254740992.0"},
    {"1/3", "0.3333333333333333"},
    {"1e15", "1e+15"},
    {"1e14", "100000000000000.0"},
    {"'a\\0b'", "\"a\\u0000b\""},
    {"'\\u{7FFFFFFF}'", "value: a string that is not valid UTF-8 cannot be stored as JSON"},
    {"{}", "{}"},
    {"json.array()", "[]"},
    {"json.array{}", "[]"},
    {"json.array{1}", "[1]"},
    {"json.array(json.array{1})", "[1]"},
    {"json.decode'[]'", "[]"},
    {"{1,2,3}", "[1,2,3]"},
    {"{{},{{}}}", "[{},[{}]]"},
    {"{[2]='b',[1]='a'}", "[\"a\",\"b\"]"},
    {"(function() local t = {} for i = 40, 1, -1 do t[i] = i % 10 end return t end)()",
     "[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0]"},
    {"{[1.0]='a'}", "[\"a\"]"},
    {"{['1']='a'}", "{\"1\":\"a\"}"},
    {"{a={b={}}}", "{\"a\":{\"b\":{}}}"},
    {"setmetatable({a=1},{__index=error,__pairs=error,__len=error})", "{\"a\":1}"},
    {"(function() local t = json.decode'[1]' t[1] = nil return t end)()", "[]"},
    {"(function() local t = {} return {t, t} end)()", "[{},{}]"},
    // Errors name the key path.
    {"0/0", "value: NaN cannot be stored as JSON"},
    {"{x=0/0}", "value.x: NaN cannot be stored as JSON"},
    {"{1/0}", "value[1]: an infinite number cannot be stored as JSON"},
    {"{x=-1/0}", "value.x: an infinite number cannot be stored as JSON"},
    {"print", "value: a function cannot be stored as JSON"},
    {"{items={1,2,{callback=print}}}", "value.items[3].callback: a function cannot be stored as JSON"},
    {"{f=io.stdout}", "value.f: userdata cannot be stored as JSON"},
    {"{CancelJob}", "value[1]: userdata cannot be stored as JSON"},
    {"{t=coroutine.create(print)}", "value.t: a coroutine cannot be stored as JSON"},
    {"{name='\\xff'}", "value.name: a string that is not valid UTF-8 cannot be stored as JSON"},
    {"{['a b']={print}}", "value[\"a b\"][1]: a function cannot be stored as JSON"},
    {"{['']=print}", "value[\"\"]: a function cannot be stored as JSON"},
    {"{['1x']=print}", "value[\"1x\"]: a function cannot be stored as JSON"},
    {"{['a\\n\\u{e9}']=print}", "value[\"a\\x0A\xC3\xA9\"]: a function cannot be stored as JSON"},
    {"{['\\xff']=1}", "value[\"\\xFF\"]: a key that is not valid UTF-8 cannot be stored as JSON"},
    {"{a={['\\xff']=1}}", "value.a[\"\\xFF\"]: a key that is not valid UTF-8 cannot be stored as JSON"},
    {"{[('k'):rep(100)]=print}",
     "value[\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...\"]: a function cannot be stored as JSON"},
    {"{a={1,2,x=3}}", "value.a: a table with both string and number keys cannot be stored as JSON"},
    {"{a={[1]=1,[3]=3}}", "value.a: a table with number keys other than 1..n cannot be stored as JSON"},
    {"{a={[0]=1}}", "value.a: a table with number keys other than 1..n cannot be stored as JSON"},
    {"{a={[-1]=1}}", "value.a: a table with number keys other than 1..n cannot be stored as JSON"},
    {"{a={[1.5]=1}}", "value.a: a table with number keys other than 1..n cannot be stored as JSON"},
    {"{a={[math.maxinteger]=1}}", "value.a: a table with number keys other than 1..n cannot be stored as JSON"},
    {"{a={[true]=1}}", "value.a: a table with a key that is neither a string nor a number cannot be stored as JSON"},
    {"{a={[{}]=1}}", "value.a: a table with a key that is neither a string nor a number cannot be stored as JSON"},
    {"json.array{x=1}", "value: an array with holes or with keys other than 1..n cannot be stored as JSON"},
    {"json.array{1,nil,3}", "value: an array with holes or with keys other than 1..n cannot be stored as JSON"},
    {"json.array{1,2,x=1}", "value: an array with holes or with keys other than 1..n cannot be stored as JSON"},
    {"(function() local t = {} t[1] = t return t end)()",
     "value[1]: a table that contains itself cannot be stored as JSON"},
    {"(function() local t = {} t.a = {b = t} return t end)()",
     "value.a.b: a table that contains itself cannot be stored as JSON"},
    {"(function() local a = {} a.b = a return {x = {a}} end)()",
     "value.x[1].b: a table that contains itself cannot be stored as JSON"},
};

static void check_encodings(fixture *f) {
  for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
    char source[1000];
    snprintf(source, sizeof source, "local good, text = pcall(json.encode, %s) print(text)", encodings[i].expression);
    f->said[0] = 0;
    const char *error = fixture_load(f, "x.lua", source);
    CHECK(error == NULL, "%s: %s", encodings[i].expression, error);
    char expected[1000];
    snprintf(expected, sizeof expected, "INFO %s\n", encodings[i].result);
    CHECK(strcmp(f->said, expected) == 0, "%s gave %s", encodings[i].expression, f->said);
  }
}

static const char scripts[] =
    "local function nested(depth) local t = {} for _ = 2, depth do t = {a = t} end return t end\n"
    "assert(#json.encode(nested(128)) > 128)\n"
    "local good, text = pcall(json.encode, nested(129))\n"
    "assert(not good and text:find('deeper than 128 levels', 1, true) and #text < 400, text)\n"
    "local ring = {} local last = ring for _ = 1, 200 do last.next = {} last = last.next end last.next = ring\n"
    "assert(not pcall(json.encode, ring))\n"
    // Errors say where they were made.
    "local good, text = pcall(function() return json.encode(print) end)\n"
    "assert(text == 'x.lua:7: value: a function cannot be stored as JSON', text)\n"
    "local good, text = pcall(function() return json.decode('[') end)\n"
    "assert(text == 'x.lua:9: invalid JSON at byte 1: expected a value', text)\n"
    "assert(not pcall(json.decode)) assert(not pcall(json.decode, 5)) assert(not pcall(json.encode))\n"
    "assert(not pcall(json.array, 5)) assert(not pcall(json.array, setmetatable({}, {})))\n"
    "local t = {} assert(json.array(t) == t)\n"
    "assert(json.decode('null') == json.null) assert(tostring(json.null) == 'null')\n"
    "assert(math.type(json.decode('1')) == 'integer') assert(math.type(json.decode('1.0')) == 'float')\n"
    "assert(math.type(json.decode('1e2')) == 'float')\n"
    "assert(not pcall(setmetatable, json.array(), {})) assert(getmetatable(json.array()) == 'array')\n"
    "assert(require 'json' == json)\n"
    // A finalizer that runs in the middle may use the library.
    "local function garbage() setmetatable({}, {__gc = function() json.encode{x = "
    "json.decode'\"\\\\u0041\"'} end}) end\n"
    "for i = 1, 2000 do garbage() local s = json.encode{('x'):rep(i), '\\n' .. i}\n"
    "  local t = json.decode(s) assert(t[1] == ('x'):rep(i) and t[2] == '\\n' .. i) end\n";

void test_json_encoding(void) {
  static fixture f;
  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  check_encodings(&f);
  test_comma_locale = true;
  check_encodings(&f);
  test_comma_locale = false;
  const char *error = fixture_load(&f, "x.lua", scripts);
  CHECK(error == NULL, "%s", error);
  fixture_close(&f);
}
