// A program that runs a node has the values, the addresses and what scripts report with this one import.
@_exported public import JobReactorCore
@_exported public import struct JobReactorLua.ScriptError
@_exported public import struct JobReactorLua.ScriptReport
@_exported public import struct JobReactorWire.Address
@_exported public import struct JobReactorWire.Password
@_exported public import struct JobReactorWire.TransportSecurity
@_exported public import struct JobReactorWire.WireError
@_exported public import struct JobReactorWire.WireSecurity
