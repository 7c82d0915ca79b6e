internal import DequeModule

/// Which password is checked next, as that may take long: of each address one at a time, and of all addresses a few.
///
/// Connections that have gone wait for nothing: there are no more checks that wait than connections. A value without I/O.
struct PasswordChecks<Key: Hashable> {
    private struct Check {
        let key: Key
        let begin: () -> Void
    }

    private struct Place {
        var waiting: Deque<Check> = []
        /// One is under way, or was wrong a moment ago.
        var isBusy = false
    }

    /// Checks under way at once: who makes them one after the other has no more to remember.
    static var most: Int { 64 }

    /// The addresses of which a check waits, is under way or was wrong a moment ago.
    private var places: [PeerNetwork: Place] = [:]
    /// Those that are not busy and of which one waits, in the order in which they came here.
    private var ready: Deque<PeerNetwork> = []
    private var underWay = 0

    var waitingCount: Int { places.values.reduce(0) { $0 + $1.waiting.count } }

    /// A password has come. ``next()`` is to be asked then.
    mutating func add(_ key: Key, from peer: PeerNetwork, _ begin: @escaping () -> Void) {
        let place = places[peer] ?? Place()
        if !place.isBusy, place.waiting.isEmpty { ready.append(peer) }
        places[peer, default: Place()].waiting.append(Check(key: key, begin: begin))
    }

    /// The connection has gone.
    mutating func remove(_ key: Key, from peer: PeerNetwork) {
        guard let place = places[peer], !place.waiting.isEmpty else { return }
        places[peer]?.waiting.removeAll { $0.key == key }
        guard !place.isBusy, places[peer]?.waiting.isEmpty == true else { return }
        places[peer] = nil
        ready.removeAll { $0 == peer }
    }

    /// What is to begin now; nil for nothing. ``ended()`` and ``rested(_:)`` are to follow.
    mutating func next() -> (() -> Void)? {
        guard underWay < Self.most, let peer = ready.popFirst(), let check = places[peer]?.waiting.popFirst() else {
            return nil
        }
        places[peer]?.isBusy = true
        underWay += 1
        return check.begin
    }

    /// A check has come to its end; its address is still busy.
    mutating func ended() { underWay -= 1 }

    /// The address may have the next one checked.
    mutating func rested(_ peer: PeerNetwork) {
        places[peer]?.isBusy = false
        if places[peer]?.waiting.isEmpty == false { ready.append(peer) } else { places[peer] = nil }
    }
}
