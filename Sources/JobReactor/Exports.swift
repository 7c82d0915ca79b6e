// An application that enqueues imports `JobReactor` alone and has the values and the addresses with it.
@_exported public import JobReactorCore
@_exported public import struct JobReactorWire.Address
@_exported public import struct JobReactorWire.Password
@_exported public import struct JobReactorWire.TransportSecurity
@_exported public import struct JobReactorWire.WireError
@_exported public import struct JobReactorWire.WireSecurity
