internal import JobReactor
internal import JobReactorCore
internal import JobReactorDashboard
internal import JobReactorWire

/// The distributor of this program, for its dashboard.
struct DistributorSource: DashboardSource {
    let distributor: Distributor

    func ask(_ words: [String], for visitor: Visitor) async throws -> RESPValue {
        try await distributor.ask(words, as: visitor.user, at: visitor.address)
    }

    func health() async -> ServiceHealth { await distributor.health() }
}
