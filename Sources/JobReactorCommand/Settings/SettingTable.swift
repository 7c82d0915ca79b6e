internal import JobReactorCore
internal import JobReactorLibraries
internal import JobReactorRedis
internal import JobReactorWire

/// Every setting, once: flags, environment variables, keys of the config file, defaults and help all come from here.
///
/// What belongs to one job (`--after`, `--period` …) is no setting: it has flags alone.
struct SettingTable: Sendable {
    // Who and where
    let name = Setting("name", .name, shown: "host name and process id", "Name of the node, unique at its distributors")
    let distributor = Setting(
        "distributor", .addresses, default: [Address(host: "localhost", port: 5000)],
        "Distributor to connect to; may be repeated for a node")
    let server = Setting(
        "server", .listenAddress, shown: "does not listen; jobs arrive over the connections it opens",
        "Where the node listens, for distributors to dial back")
    let connectTo = Setting("connect_to", .address, "Address that distributors dial, if it differs from the server's")
    let listen = Setting(
        "listen", .listenAddress, default: Address(host: "localhost", port: 5000), "Where the distributor listens")

    let distributorName = Setting(
        "distributor_name", .name, shown: "host name and port",
        "Name of the distributor, which nodes use to address outcomes; keep it after a restart")

    // Jobs
    let jobDirectory = Setting(
        "job_directory", flag: "jobs", .directory, default: "reactor_jobs", "Folder of the job scripts")
    let storage = Setting(
        "storage", .storage, default: .memory,
        "Where jobs are stored: in memory, or, to survive a crash, in an SQLite file or on a Redis server")
    let redisURL = Setting(
        "redis_url", .redisURL, default: RedisLocation(), "The Redis server, if storage is just redis")
    let retryJobsAtStart = Setting(
        "retry_jobs_at_start", .boolean, default: true,
        "Whether a node recovers the unfinished jobs of its storage, with args.retrying")
    let takeoverTime = Setting(
        "takeover_time", .seconds, default: 30,
        "How long a job waits for a lost node that has not acknowledged it")
    let reportTTL = Setting(
        "report_ttl", .seconds, default: 3600, "How long outcomes are kept for a distributor or producer that is away")
    let window = Setting(
        "window", .wholeNumber(1...1_000_000, "jobs"), default: 1024,
        "Due and unfinished jobs that a distributor may have at the node")
    let memoryLimit = Setting(
        "memory_limit", .byteCount(0...1 << 50), shown: "half of the memory that the machine or control group has",
        "Memory that all Lua states and shared may use together, such as 512M; 0 for no limit")
    let sharedLimit = Setting(
        "shared_limit", .byteCount(1 << 10...1 << 50), shown: "a quarter of it",
        "Part of that memory that shared may use, such as 64M")
    let maxMemory = Setting(
        "max_memory", .byteCount(1 << 20...1 << 50), shown: "half of the memory that the machine or control group has",
        "Memory for waiting jobs and outcomes, such as 512M; beyond it a distributor refuses jobs, and a node asks for none"
    )
    let maxAttempt = Setting(
        "max_attempt", .wholeNumber(1...Int(Int32.max)), default: JobPolicy().maxAttempt,
        "Total number of attempts before a job has failed")
    let retryMultiplier = Setting(
        "retry_multiplier", .seconds, default: JobPolicy().retryMultiplier,
        "The n-th retry waits n times this long")
    let backoff = Setting(
        "backoff", .backoff, default: JobPolicy().backoff,
        "How waits between attempts grow: linear, or exponential, each twice the one before")
    let jitter = Setting(
        "jitter", .share, default: JobPolicy().jitter, "Random share of each wait, from 0 to 1")
    let maxRetryDelay = Setting("max_retry_delay", .seconds, "The longest wait between attempts")
    let jobTimeout = Setting(
        "job_timeout", .secondsAboveZero, "How long one attempt may take before it is interrupted and has failed")
    let deferLanes = Setting(
        "defer_lanes", .wholeNumber(1...1000, "threads"), default: 2,
        "Threads for jobs with defer, each with its own Lua state")
    let maxSuspended = Setting(
        "max_suspended", .wholeNumber(1...10_000_000, "jobs"), default: 10_000,
        "Jobs that may be suspended at once, in sleep, http and the like")
    let maxPrograms = Setting(
        "max_programs", .wholeNumber(1...100_000, "programs"),
        shown: "one for each 16 files that the process may have open, at most 256",
        "Programs of exec that run at once, at most one for each 8 open files; further ones wait for their turn")
    let httpConnections = Setting(
        "http_connections", .wholeNumber(1...10_000, "connections"), default: HTTPLibrary.usualConnections,
        "Requests of http to one server at once; further ones wait for their turn")
    let httpWait = Setting(
        "http_wait", .secondsAboveZero, default: HTTPLibrary.usualWait,
        "How long a request of http waits for its turn, before its own timeout begins")
    let allowHost = Setting(
        "allow_host", .hostRules, default: [], shown: "all",
        "Host to which http and redis of scripts may connect; may be repeated")
    let sliceWarning = Setting(
        "slice_warning", .seconds, default: 1,
        "How long a job may run without suspension before the log shows where it is; 0 for no limit")
    let sliceLimit = Setting(
        "slice_limit", .seconds, default: 30,
        "How long a job without defer may run without suspension before it is interrupted; 0 for no limit")
    let sandbox = Setting(
        "sandbox", .sandbox, default: .off,
        "off, or strict: no access to files, processes, the environment and C modules for scripts")
    let watch = Setting(
        "watch", .boolean, default: true, "Whether scripts are reloaded when their files change")
    let mergeJobItselfToArgs = Setting(
        "merge_job_itself_to_args", .boolean, default: false, "Whether scripts and feedbacks see args.job_itself")
    let logArgs = Setting(
        "log_args", .boolean, default: false,
        "Whether the log shows the args of jobs that fail; args may contain secrets")
    let logJobProcessing = Setting(
        "log_job_processing", .boolean, default: true, "Whether runs are logged; successful runs at level debug")
    let removeDoneJobs = Setting(
        "remove_done_jobs", .boolean, default: JobPolicy().removeDoneJobs, "Whether completed jobs are removed")
    let removeCancelledJobs = Setting(
        "remove_cancelled_jobs", .boolean, default: JobPolicy().removeCancelledJobs,
        "Whether cancelled jobs are removed")
    let removeFailedJobs = Setting(
        "remove_failed_jobs", .boolean, default: JobPolicy().removeFailedJobs, "Whether failed jobs are removed")
    let alwaysUseSpecifiedNode = Setting(
        "always_use_specified_node", .boolean, default: false, "Whether a job with a node waits for that node only")

    // Serving
    let grace = Setting("grace", .seconds, default: 10, "How long a stop waits for running jobs")
    let maxConnections = Setting(
        "max_connections", .wholeNumber(1...1_000_000), default: 10_000, "Connections at once")
    let frameLimit = Setting(
        "frame_limit", .byteCount(1 << 10...1 << 30), default: 16 << 20, shown: "16M",
        "Size of the largest command, such as a job with its args")
    let insecure = Setting(
        "insecure", .boolean, default: false, "Whether to listen beyond this machine without a password")
    let logJSON = Setting(
        "log_json", flag: "json", .boolean, default: false, "Whether each line of the log is a JSON object")
    let logFormat = Setting(
        "log_format", .logFormat, shown: "text, or json with --json",
        "Format of the log: text for people, or json, a JSON object in each line")
    let http = Setting(
        "http", .listenAddress, shown: "does not listen",
        "Where to serve /metrics for Prometheus, /health and /ready, and the dashboard of a distributor, over HTTP")
    let otlp = Setting(
        "otlp", .collector,
        "Collector for the spans of jobs, by OTLP over HTTP, such as http://localhost:4318")
    let otlpShare = Setting(
        "otlp_share", .share, default: 1, "Share of the traces that begin here to send, from 0 to 1")

    // Security
    let password = Setting("password", in: .file, .text, "The password of the installation")
    let passwordFile = Setting("password_file", .file, "File whose first line is the password; only you may read it")
    let user = Setting("user", .userName, shown: "default", "The user to log in as")
    let users = Setting("users", .file, "File of the users that may connect; jobreactor user changes it")
    let hideArgs = Setting(
        "hide_args", .boolean, default: false,
        "Whether to hide args from users without the roles operator and author")
    let dialAllow = Setting(
        "dial_allow", .dialRules, default: [], shown: "only the address they connect from",
        "Addresses, networks and host names that nodes may ask to be dialled at")
    let tls = Setting("tls", .boolean, shown: "when a --tls-… file is given", "Whether to use TLS on every socket")
    let tlsCertificate = Setting("tls_certificate", .file, "Certificate chain to present, in PEM")
    let tlsKey = Setting("tls_key", .file, "Private key of the certificate, in PEM")
    let tlsAuthority = Setting(
        "tls_authority", .file, shown: "the system's", "Certificates to trust, in PEM")
    let tlsRequireClientCertificate = Setting(
        "tls_require_client_certificate", .boolean, default: false,
        "Whether to refuse peers without a certificate from the authority")

    // All commands
    let logLevel = Setting(
        "log_level", .logLevel, shown: "info; critical for enqueue, nodes and info",
        "Lowest level to log: trace, debug, info, notice, warning, error or critical")
    let config = Setting("config", in: .flag, .file, "Config file: a JSON object of settings")

    static let standard = SettingTable()

    /// In the order above.
    static let all: [any AnySetting] = Mirror(reflecting: standard).children.compactMap { $0.value as? any AnySetting }
}
