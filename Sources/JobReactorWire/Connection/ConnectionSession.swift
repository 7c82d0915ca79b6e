/// Who reads what a connection receives. All calls come on the connection's event loop.
package protocol ConnectionSession: AnyObject {
    /// The connection is up; called once, on the first session of a connection.
    func connected(_ connection: Connection)
    /// One complete frame; valid during the call only.
    func received(_ frame: RESPFrame, on connection: Connection)
    /// The frames of one read are through: what they share (a save, an acknowledgement) can go out now.
    func readCompleted(on connection: Connection)
    /// Nothing more comes that counts: the peer has ended its input, or, where there is an error, has sent what is no message.
    /// All that came before has been received. Called once at most; whoever has more to say says it and closes.
    func inputEnded(_ error: String?, on connection: Connection)
    /// The connection is gone, or has never come up; called once. `reason` is nil for an ordinary end.
    func disconnected(_ connection: Connection, reason: String?)
}

extension ConnectionSession {
    package func connected(_ connection: Connection) {}

    package func inputEnded(_ error: String?, on connection: Connection) {
        if let error { connection.refuse(error) } else { connection.closeNow() }
    }
}
