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
        "Distributor to connect to; a node takes several")
    let server = Setting(
        "server", .listenAddress, shown: "does not listen, and jobs come over the connections it opens",
        "Where the node listens, for distributors to dial back")
    let connectTo = Setting("connect_to", .address, "Address that distributors dial, where it is not the server's")
    let listen = Setting(
        "listen", .listenAddress, default: Address(host: "localhost", port: 5000), "Where the distributor listens")

    let distributorName = Setting(
        "distributor_name", .name, shown: "host name and port",
        "Name of the distributor, to which nodes address outcomes; after a restart the same")

    // Jobs
    let jobDirectory = Setting(
        "job_directory", flag: "jobs", .directory, default: "reactor_jobs", "Folder of the job scripts")
    let storage = Setting(
        "storage", .storage, default: .memory,
        "Where jobs are kept: in memory, or, to survive a crash, in an SQLite file or on a Redis server")
    let redisURL = Setting(
        "redis_url", .redisURL, default: RedisLocation(), "The Redis server, where storage is just redis")
    let retryJobsAtStart = Setting(
        "retry_jobs_at_start", .boolean, default: true,
        "Whether a node takes up the unfinished jobs that its storage has, with args.retrying")
    let takeoverTime = Setting(
        "takeover_time", .seconds, default: 30,
        "How long a job waits for a node that was lost before it had said whether it has it")
    let reportTTL = Setting(
        "report_ttl", .seconds, default: 3600, "How long outcomes are kept for a distributor or producer that is away")
    let window = Setting(
        "window", .wholeNumber(1...1_000_000, "jobs"), default: 1024, "Jobs that a distributor may have here at once")
    let memoryLimit = Setting(
        "memory_limit", .byteCount(0...1 << 50), shown: "half of the memory that the machine or control group has",
        "Memory that all Lua states and shared may have together, such as 512M; 0 for no limit")
    let sharedLimit = Setting(
        "shared_limit", .byteCount(1 << 10...1 << 50), shown: "a quarter of it",
        "Memory of that which shared may take, such as 64M")
    let maxMemory = Setting(
        "max_memory", .byteCount(1 << 20...1 << 50), shown: "half of the memory that the machine or control group has",
        "What the jobs and outcomes that wait may take, such as 512M; beyond it a distributor refuses, and a node asks for none"
    )
    let maxAttempt = Setting(
        "max_attempt", .wholeNumber(1...Int(Int32.max)), default: JobPolicy().maxAttempt,
        "Attempts in all before a job has failed")
    let retryMultiplier = Setting(
        "retry_multiplier", .seconds, default: JobPolicy().retryMultiplier,
        "The n-th retry waits n times as many seconds")
    let backoff = Setting(
        "backoff", .backoff, default: JobPolicy().backoff,
        "How waits between attempts grow: linear, or exponential, each twice the one before")
    let jitter = Setting(
        "jitter", .share, default: JobPolicy().jitter, "Share of each wait that is left to chance, from 0 to 1")
    let maxRetryDelay = Setting("max_retry_delay", .seconds, "The longest wait between attempts")
    let jobTimeout = Setting(
        "job_timeout", .secondsAboveZero, "How long one attempt may take before it is interrupted and has failed")
    let deferLanes = Setting(
        "defer_lanes", .wholeNumber(1...1000, "threads"), default: 2,
        "Threads for jobs with defer, each with a Lua state of its own")
    let maxSuspended = Setting(
        "max_suspended", .wholeNumber(1...10_000_000, "jobs"), default: 10_000,
        "Jobs that may pause at once, in sleep, http and the like")
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
        "Server that http and redis of scripts may connect to; several for more")
    let sliceWarning = Setting(
        "slice_warning", .seconds, default: 1,
        "How long a job may run without a pause before the log says where it is; 0 for any time")
    let sliceLimit = Setting(
        "slice_limit", .seconds, default: 30,
        "How long a job without defer may run without a pause before it is interrupted; 0 for any time")
    let sandbox = Setting(
        "sandbox", .sandbox, default: .off,
        "off, or strict, which keeps scripts from files, processes, the environment and C modules")
    let watch = Setting(
        "watch", .boolean, default: true, "Whether scripts are loaded anew when their files change")
    let mergeJobItselfToArgs = Setting(
        "merge_job_itself_to_args", .boolean, default: false, "Whether scripts and feedbacks see args.job_itself")
    let logArgs = Setting(
        "log_args", .boolean, default: false, "Whether the log shows the args of jobs that fail; they may have secrets")
    let logJobProcessing = Setting(
        "log_job_processing", .boolean, default: true, "Whether runs are logged: good ones at level debug")
    let removeDoneJobs = Setting(
        "remove_done_jobs", .boolean, default: JobPolicy().removeDoneJobs, "Whether finished jobs are forgotten")
    let removeCancelledJobs = Setting(
        "remove_cancelled_jobs", .boolean, default: JobPolicy().removeCancelledJobs,
        "Whether cancelled jobs are forgotten")
    let removeFailedJobs = Setting(
        "remove_failed_jobs", .boolean, default: JobPolicy().removeFailedJobs, "Whether failed jobs are forgotten")
    let alwaysUseSpecifiedNode = Setting(
        "always_use_specified_node", .boolean, default: false, "Whether a job with a node waits for just that node")

    // Serving
    let grace = Setting("grace", .seconds, default: 10, "How long a stop waits for the jobs that run")
    let maxConnections = Setting(
        "max_connections", .wholeNumber(1...1_000_000), default: 10_000, "Connections at once")
    let frameLimit = Setting(
        "frame_limit", .byteCount(1 << 10...1 << 30), default: 16 << 20, shown: "16M",
        "Size of the largest command, such as a job with its args")
    let insecure = Setting(
        "insecure", .boolean, default: false, "Whether to listen beyond this machine without a password")
    let logJSON = Setting(
        "log_json", flag: "json", .boolean, default: false, "Whether the log has a JSON object in each line")
    let logFormat = Setting(
        "log_format", .logFormat, shown: "text, or json with --json",
        "How the log is written: text for people, or json, a JSON object in each line")
    let http = Setting(
        "http", .listenAddress, shown: "does not listen",
        "Where /metrics, for Prometheus, /health and /ready, and a distributor's dashboard, are served over HTTP")
    let otlp = Setting(
        "otlp", .collector,
        "Collector that gets the spans of jobs, by OTLP over HTTP, such as http://localhost:4318")
    let otlpShare = Setting(
        "otlp_share", .share, default: 1, "Share of the traces that begin here whose spans are sent, from 0 to 1")

    // Security
    let password = Setting("password", in: .file, .text, "The password of the installation")
    let passwordFile = Setting("password_file", .file, "File whose first line is the password; only you may read it")
    let user = Setting("user", .userName, shown: "default", "The user that the password is of")
    let users = Setting("users", .file, "File of the users who may connect; jobreactor user changes it")
    let hideArgs = Setting(
        "hide_args", .boolean, default: false,
        "Whether users that may look, and neither operate nor change scripts, see no args")
    let dialAllow = Setting(
        "dial_allow", .dialRules, default: [], shown: "only where they come from",
        "Where nodes may ask to be dialled: addresses, networks and host names")
    let tls = Setting("tls", .boolean, shown: "when a --tls-… file is given", "Whether to use TLS on every socket")
    let tlsCertificate = Setting("tls_certificate", .file, "Certificate chain to show, in PEM")
    let tlsKey = Setting("tls_key", .file, "Private key of the certificate, in PEM")
    let tlsAuthority = Setting(
        "tls_authority", .file, shown: "the system's", "Certificates to trust, in PEM")
    let tlsRequireClientCertificate = Setting(
        "tls_require_client_certificate", .boolean, default: false,
        "Whether to refuse peers without a certificate of the authority")

    // All commands
    let logLevel = Setting(
        "log_level", .logLevel, shown: "info; critical for enqueue, nodes and info",
        "Least level that is logged: trace, debug, info, notice, warning, error or critical")
    let config = Setting("config", in: .flag, .file, "Config file: a JSON object of settings")

    static let standard = SettingTable()

    /// In the order above.
    static let all: [any AnySetting] = Mirror(reflecting: standard).children.compactMap { $0.value as? any AnySetting }
}
