/// A storage on a server that reconnects after a lost connection.
package protocol ConnectedStorage: JobStorage {
    /// The number of reconnects. From any thread.
    var reconnectCount: Int { get }
}
