/// The receiver of a connection's frames. All calls are made on the connection's event loop.
package protocol ConnectionSession: AnyObject {
    /// The connection is up; called once, on the first session of a connection.
    func connected(_ connection: Connection)
    /// One complete frame; valid during the call only.
    func received(_ frame: RESPFrame, on connection: Connection)
    /// All frames of one read were delivered: combined work (a save, an acknowledgement) can be done now.
    func readCompleted(on connection: Connection)
    /// The input has ended: the peer has closed its sending side, or has sent invalid bytes if there is an error. All
    /// earlier frames were delivered. Called at most once; the session sends its last messages and closes.
    func inputEnded(_ error: String?, on connection: Connection)
    /// The connection is closed, or was never open; called once. `reason` is nil for an ordinary end.
    func disconnected(_ connection: Connection, reason: String?)
}

extension ConnectionSession {
    package func connected(_ connection: Connection) {}

    package func inputEnded(_ error: String?, on connection: Connection) {
        if let error { connection.refuse(error) } else { connection.closeNow() }
    }
}
