// An application that enqueues imports `JobReactor` alone, and can name with it what the public names of this module are made of.
// `User` and `Role`, which applications have of their own, come with `JobReactorWire` for who writes a `UserDirectory`.
#if canImport(FoundationEssentials)
    @_exported public import struct FoundationEssentials.Date
#else
    @_exported public import struct Foundation.Date
#endif
@_exported public import JobReactorCore
@_exported public import struct JobReactorWire.Address
@_exported public import struct JobReactorWire.DialRule
@_exported public import struct JobReactorWire.Password
@_exported public import struct JobReactorWire.RESPLimits
@_exported public import struct JobReactorWire.TransportSecurity
@_exported public import protocol JobReactorWire.UserDirectory
@_exported public import struct JobReactorWire.WireError
@_exported public import struct JobReactorWire.WireSecurity
@_exported public import struct Logging.Logger
@_exported public import protocol NIOCore.EventLoopGroup
