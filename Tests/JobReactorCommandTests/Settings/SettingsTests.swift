import JobReactorWire
import Testing

@testable import JobReactorCommand

/// Flag before environment before file before default.
@Suite struct SettingsTests {
    @Test func theDefaultStandsWhenNobodySaysAnything() throws {
        let settings = try settings()
        #expect(try settings.value(\.maxAttempt) == 10)
        #expect(try settings.value(\.retryMultiplier) == 5)
        #expect(try settings.value(\.jobDirectory) == "reactor_jobs")
        #expect(try settings.value(\.distributor) == [Address(host: "localhost", port: 5000)])
        #expect(try settings.value(\.removeDoneJobs) && !settings.value(\.removeFailedJobs))
        #expect(try settings.value(\.server) == nil)
        #expect(try settings.value(\.password) == nil)
        #expect(try settings.value(\.maxPrograms) == nil)
        #expect(try settings.value(\.httpConnections) == 100 && settings.value(\.httpWait) == 60)
        #expect(try settings.value(\.allowHost) == [])
    }

    @Test func eachPlaceGoesBeforeTheNext() throws {
        let file = try TemporaryFile(#"{"max_attempt": 2, "window": 20, "grace": 1.5}"#)
        let settings = try settings(["JOBREACTOR_MAX_ATTEMPT": "3", "JOBREACTOR_WINDOW": "30"], file: file)
        #expect(try settings.value(\.maxAttempt, flag: "4") == 4)
        #expect(try settings.value(\.maxAttempt) == 3)
        #expect(try settings.value(\.window) == 30)
        #expect(try settings.value(\.grace) == 1.5)
        #expect(try settings.value(\.retryMultiplier) == 5)
    }

    @Test func aFlagReplacesAWholeList() throws {
        let settings = try settings(["JOBREACTOR_DISTRIBUTOR": "a:1, b:2"])
        #expect(try settings.value(\.distributor).map(\.description) == ["a:1", "b:2"])
        #expect(
            try settings.value(\.distributor, flags: ["c:3", "d:4,e:5"]).map(\.description) == ["c:3", "d:4", "e:5"])
    }

    @Test func aListInAFileIsAnArrayOrOneText() throws {
        let array = try TemporaryFile(#"{"distributor": ["a:1", "[::1]:2"]}"#)
        #expect(try settings(file: array).value(\.distributor).map(\.description) == ["a:1", "[::1]:2"])
        let text = try TemporaryFile(#"{"distributor": "a:1,b:2"}"#)
        #expect(try settings(file: text).value(\.distributor).map(\.description) == ["a:1", "b:2"])
    }

    @Test func theFileIsNamedByTheFlagOrElseTheEnvironment() throws {
        let file = try TemporaryFile(#"{"window": 1}"#)
        let other = try TemporaryFile(#"{"window": 2}"#)
        let environment = ["JOBREACTOR_CONFIG": file.path]
        #expect(try settings(environment).value(\.window) == 1)
        #expect(try settings(environment, file: other).value(\.window) == 2)
    }

    @Test func noFlagTurnsOffWhatTheEnvironmentTurnedOn() throws {
        let settings = try settings(["JOBREACTOR_INSECURE": "yes", "JOBREACTOR_REMOVE_DONE_JOBS": "0"])
        #expect(try settings.value(\.insecure))
        #expect(try settings.value(\.insecure, flag: false) == false)
        #expect(try settings.value(\.removeDoneJobs) == false)
    }

    @Test(arguments: [
        ("JOBREACTOR_MAX_ATTEMPT", "ten", "takes a whole number from 1 to 2147483647, not 'ten'"),
        ("JOBREACTOR_MAX_ATTEMPT", "0", "takes a whole number from 1 to 2147483647, not '0'"),
        ("JOBREACTOR_MAX_ATTEMPT", "", "takes a whole number from 1 to 2147483647, not an empty value"),
    ])
    func aWrongVariableIsNamedWithWhatIsAllowed(name: String, value: String, message: String) {
        let failure = failure { _ = try settings([name: value]).value(\.maxAttempt) }
        #expect(failure == .usage("\(name) \(message)"))
    }

    @Test func aWrongFlagIsNamedWithWhatIsAllowed() {
        #expect(
            failure { _ = try settings().value(\.memoryLimit, flag: "10X") }
                == .usage(
                    "--memory-limit takes bytes from 0 to 1048576G, optionally with K, M or G, not '10X'"
                )
        )
        #expect(
            failure { _ = try settings().value(\.jobDirectory, flag: "") }
                == .usage("--jobs takes the path of a folder, not an empty value"))
        #expect(
            failure { _ = try settings().value(\.storage, flag: "postgres:x") }
                == .usage(
                    "--storage takes memory, sqlite:FILE, redis, or a URL such as redis://user:password@localhost:6379/0,"
                        + " not 'postgres:x'"
                ))
    }

    @Test func variablesOfOthersAreLeftAlone() throws {
        // As Kubernetes sets them for a service called jobreactor.
        let environment = ["JOBREACTOR_PORT": "tcp://10.0.0.1:5000", "JOBREACTOR_SERVICE_HOST": "10.0.0.1"]
        #expect(try settings(environment).value(\.window) == 1024)
    }
}
