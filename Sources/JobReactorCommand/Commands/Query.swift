internal import JobReactorWire

/// One command to a distributor or a node, and its reply.
enum Query {
    /// Throws ``CommandFailure`` when there is no reply in time, or when it is an error.
    static func send(
        _ words: [String], to address: Address, isNode: Bool = false, security: WireSecurity
    ) async throws -> RESPValue {
        let reply = try await withDeadline(10, else: .noAnswer(from: address)) {
            let client: RESPClient
            do { client = try await RESPClient.connect(to: address, security: security) } catch let error as WireError {
                guard isNode, let cause = error.cause else { throw CommandFailure.unconnected(to: address, error) }
                throw CommandFailure.failure(
                    "cannot connect to \(address): \(Transport.describe(cause)):"
                        + " start the node with --server, or give the address of another node")
            }
            do {
                let reply = try await client.send(words)
                await client.close()
                return reply
            } catch {
                await client.close()
                throw (error as? WireError).map { CommandFailure.unconnected(to: address, $0) } ?? CommandFailure(error)
            }
        }
        guard case .error(let line) = reply else { return reply }
        throw CommandFailure.refusal(line, by: address)
    }
}

extension CommandFailure {
    static func noAnswer(from address: Address) -> CommandFailure {
        .failure("no answer from \(address) within 10 s: check that JobReactor listens there, and whether it uses TLS")
    }

    /// A connection that could not be made, or was not good.
    static func unconnected(to address: Address, _ error: WireError) -> CommandFailure {
        for code in ["NOAUTH", "WRONGPASS"] where error.message.contains(": \(code) ") {
            return .refusal(code, by: address)
        }
        // What a TLS server answers to anything else begins with the byte of an alert.
        if error.message.contains("got \"\\x15\"") {
            return .failure("\(address) uses TLS: give --tls, or --tls-authority with the authority of its certificate")
        }
        if let cause = error.cause, error.message.hasPrefix("cannot connect to \(address): ") {
            return .failure(
                "cannot connect to \(address): \(Transport.describe(cause)): start a distributor there (jobreactor"
                    + " distributor), or give another address with --distributor")
        }
        if error.message.contains("\(address)") { return CommandFailure(error) }
        return .failure("\(address): \(error.message)")
    }

    /// An error reply; its first word is a code for programs.
    static func refusal(_ line: String, by address: Address) -> CommandFailure {
        if line.hasPrefix("NOAUTH") {
            return .failure("\(address) needs a password: set JOBREACTOR_PASSWORD or give --password-file")
        }
        if line.hasPrefix("WRONGPASS") {
            return .failure("\(address) refuses the password: check JOBREACTOR_PASSWORD or --password-file")
        }
        if line.hasPrefix("UNIQUE ") {
            return .failure("the job \(line.dropFirst(7)) holds that key: nothing was enqueued")
        }
        let text = line.hasPrefix("ERR ") ? String(line.dropFirst(4)) : line
        return .failure("\(address): \(text)")
    }
}
