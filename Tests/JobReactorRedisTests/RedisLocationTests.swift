import JobReactorRedis
import JobReactorWire
import Testing

@Suite struct RedisLocationTests {
    private static let local = Address(host: "localhost", port: 6379)

    @Test(
        "a URL says where, as whom, which database and which keys",
        arguments: [
            ("redis://localhost", RedisLocation(address: local)),
            ("redis://localhost/", RedisLocation(address: local)),
            ("redis://10.0.0.1:7000/3", RedisLocation(address: Address(host: "10.0.0.1", port: 7000), database: 3)),
            ("redis://[::1]:7000", RedisLocation(address: Address(host: "::1", port: 7000))),
            ("rediss://localhost", RedisLocation(address: local, usesTLS: true)),
            ("redis://:secret@localhost", RedisLocation(address: local, password: "secret")),
            (
                "redis://ada:p%40ss%3Aw%2Frd@localhost/1",
                RedisLocation(address: local, user: "ada", password: "p@ss:w/rd", database: 1)
            ),
            ("redis://localhost/0?prefix=app:", RedisLocation(address: local, prefix: "app:")),
        ])
    func reads(text: String, location: RedisLocation) {
        #expect(RedisLocation(text) == location)
    }

    @Test(
        "what is no such URL is none",
        arguments: [
            "", "redis", "redis:", "redis://", "http://localhost", "localhost:6379", "redis://localhost/x",
            "redis://localhost/-1", "redis://localhost/01", "redis://localhost/1/2", "redis://localhost:99999999",
            "redis://localhost?db=1", "redis://localhost?prefix=", "redis://user@localhost", "redis://localhost#x",
            "redis://local host",
        ])
    func refuses(text: String) {
        #expect(RedisLocation(text) == nil)
    }

    @Test("its text has no password, and says the rest")
    func shown() {
        #expect(RedisLocation(address: Self.local).description == "redis://localhost:6379/0")
        let secret = RedisLocation(
            address: Self.local, usesTLS: true, user: "ada", password: "secret", database: 2, prefix: "p:")
        #expect(secret.description == "rediss://ada:***@localhost:6379/2?prefix=p:")
    }

    @Test("the default is the gem's redis_url")
    func standard() {
        #expect(RedisLocation().description == "redis://127.0.0.1:6379/0")
    }
}
