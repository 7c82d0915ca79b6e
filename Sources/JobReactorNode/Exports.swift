// A program that runs a node has the values, the addresses and what scripts report with this one import, and can name with it
// what the public names of this module are made of.
@_exported public import JobReactorCore
@_exported public import struct JobReactorLua.ScriptError
@_exported public import protocol JobReactorLua.ScriptLibrary
@_exported public import struct JobReactorLua.ScriptReport
@_exported public import struct JobReactorWire.Address
@_exported public import struct JobReactorWire.Password
@_exported public import struct JobReactorWire.RESPLimits
@_exported public import struct JobReactorWire.TransportSecurity
@_exported public import protocol JobReactorWire.UserDirectory
@_exported public import struct JobReactorWire.WireError
@_exported public import struct JobReactorWire.WireSecurity
@_exported public import struct Logging.Logger
@_exported public import protocol NIOCore.EventLoopGroup
