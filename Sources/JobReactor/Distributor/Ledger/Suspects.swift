internal import DequeModule
internal import JobReactorCore

/// Which job it was that a node ended with.
///
/// Of the jobs that a node had when it was lost any may have ended its process, or broken the link, and most have not. Their
/// entries get a *strike*: they are suspects from then on. A node begins suspects one by one, and says of each, before its
/// run, that it begins: when the node is lost, the one that was under way is most likely the cause, and has that attempt
/// counted. Where several may be, all get another strike, and a job with ``alone`` of them is sent to a node only while no
/// other suspect there has still to begin, and others when it has begun. So innocent jobs are not counted for others as a rule,
/// one that ends nodes ends few of them, and none waits for the end of another.
///
/// Of nodes with a volatile storage: the others count by themselves. A value without I/O.
struct Suspects {
    /// With so many strikes a job is sent only to a node where no other suspect has still to begin.
    static let alone: UInt8 = 3

    /// What is known of a suspect at a node.
    enum Run: Equatable {
        /// Sent, and not begun, as far as is known.
        case sent
        /// It runs: this attempt, of so many.
        case begun(attempt: Int32, of: Int32)
        /// Its run has paused; it may have gone on since.
        case paused(attempt: Int32, of: Int32)
    }

    /// What the loss of a node means for a job that it had.
    enum Verdict: Equatable {
        case innocent
        case strike
        /// The attempt counts.
        case ended(attempt: Int32, of: Int32)
        /// It was sent alone, and the link was lost before it began: another attempt counts.
        case unread
    }

    private struct AtNode {
        /// Sent; those that have ended, or wait for another time, are out of it.
        private(set) var sent: [JobID: Run] = [:]
        /// How many of those have still to begin.
        private var unbegun = 0
        /// That of those which is to begin alone.
        private var alone: JobID?
        /// Not sent while another is to begin alone.
        private var held: Deque<JobID> = []
        /// Not sent while any other is to begin.
        private var heldAlone: Deque<JobID> = []
        var isEmpty: Bool { sent.isEmpty && held.isEmpty && heldAlone.isEmpty }

        mutating func admit(_ id: JobID, isAlone: Bool) -> Bool {
            guard alone == nil, !isAlone || unbegun == 0 else {
                if isAlone { heldAlone.append(id) } else { held.append(id) }
                return false
            }
            if isAlone { alone = id }
            send(id)
            return true
        }

        private mutating func send(_ id: JobID) {
            sent[id] = .sent
            unbegun += 1
        }

        mutating func run(_ id: JobID, _ run: Run) {
            if sent.updateValue(run, forKey: id) == .sent { unbegun -= 1 }
            if alone == id { alone = nil }
        }

        mutating func leave(_ id: JobID) {
            switch sent.removeValue(forKey: id) {
            case .sent?: unbegun -= 1
            case nil where alone != id:
                held.removeAll { $0 == id }
                heldAlone.removeAll { $0 == id }
            default: break
            }
            if alone == id { alone = nil }
        }

        /// Those held that may be sent now, and are.
        mutating func release() -> [JobID] {
            guard alone == nil else { return [] }
            var released = Array(held)
            held = []
            if released.isEmpty, unbegun == 0, let next = heldAlone.popFirst() {
                alone = next
                released = [next]
            }
            for id in released { send(id) }
            return released
        }
    }

    private var nodes: [Dispatcher.NodeHandle: AtNode] = [:]

    // MARK: At nodes

    /// A suspect is to go to the node. Returns whether it may be sent now; else it is held.
    mutating func admit(_ id: JobID, strikes: UInt8, to node: Dispatcher.NodeHandle) -> Bool {
        nodes[node, default: AtNode()].admit(id, isAlone: strikes >= Self.alone)
    }

    /// The run of a suspect begins. Returns those held that may be sent now.
    mutating func began(_ id: JobID, attempt: Int32, of most: Int32, at node: Dispatcher.NodeHandle) -> [JobID] {
        nodes[node, default: AtNode()].run(id, .begun(attempt: attempt, of: most))
        return nodes[node]?.release() ?? []
    }

    mutating func paused(_ id: JobID, at node: Dispatcher.NodeHandle) {
        guard case .begun(let attempt, let most) = nodes[node]?.sent[id] else { return }
        nodes[node]?.run(id, .paused(attempt: attempt, of: most))
    }

    /// A suspect has ended, waits for another time, or has gone from the node. Returns those held that may be sent now.
    mutating func left(_ id: JobID, _ node: Dispatcher.NodeHandle) -> [JobID] {
        guard var at = nodes.removeValue(forKey: node) else { return [] }
        at.leave(id)
        let released = at.release()
        if !at.isEmpty { nodes[node] = at }
        return released
    }

    // MARK: Losses

    /// What was at a node when it was lost.
    struct Loss {
        fileprivate let sent: [JobID: Run]
        private let underWay: Int

        fileprivate init(_ sent: [JobID: Run]) {
            self.sent = sent
            underWay = sent.values.lazy.filter { $0 != .sent }.count
        }

        /// What it means for a job; `isDue` says that it may have begun.
        func verdict(on id: JobID, strikes: UInt8, isDue: Bool) -> Verdict {
            guard let run = sent[id] else { return strikes == 0 && isDue ? .strike : .innocent }
            switch run {
            case .begun(let attempt, let most): return .ended(attempt: attempt, of: most)
            case .paused(let attempt, let most):
                let isCertain = underWay == 1 || strikes >= Suspects.alone
                return isCertain ? .ended(attempt: attempt, of: most) : .strike
            case .sent:
                if underWay > 0 { return .innocent }
                return strikes >= Suspects.alone ? .unread : .strike
            }
        }
    }

    /// The node is gone; its handle may be that of another next.
    mutating func lost(_ node: Dispatcher.NodeHandle) -> Loss {
        Loss(nodes.removeValue(forKey: node)?.sent ?? [:])
    }
}
