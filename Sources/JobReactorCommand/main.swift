import ArgumentParser
import Configuration
import NIOSSL
import ServiceLifecycle
import NIOPosix
print("x")
