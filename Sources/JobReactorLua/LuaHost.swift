internal import CLuaShim
internal import JobReactorCore
internal import Logging

/// What a state gets from the process around it: a place for what scripts print.
///
/// Belongs to the thread of its state.
final class LuaHost {
    private let logger: Logger
    /// The job that runs now; nil while scripts load.
    var current: (id: JobID, name: String)?

    init(logger: Logger) { self.logger = logger }

    /// For `jr_open`; valid while this object lives.
    var functions: jr_host {
        jr_host(
            context: Unmanaged.passUnretained(self).toOpaque(),
            log: { context, _, level, message, length in
                guard let context else { return }
                let text = String(decoding: UnsafeRawBufferPointer(start: message, count: length), as: UTF8.self)
                Unmanaged<LuaHost>.fromOpaque(context).takeUnretainedValue().log(level, text)
            })
    }

    private func log(_ level: jr_log_level, _ text: String) {
        let level: Logger.Level =
            switch level {
            case JR_LOG_DEBUG: .debug
            case JR_LOG_WARNING: .warning
            case JR_LOG_ERROR: .error
            default: .info
            }
        let metadata: Logger.Metadata = current.map { ["job": "\($0.name)", "id": "\($0.id)"] } ?? [:]
        logger.log(level: level, "\(text)", metadata: metadata)
    }
}
