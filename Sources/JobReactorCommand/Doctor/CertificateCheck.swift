private import Foundation
internal import JobReactorCore
private import NIOSSL

/// Whether certificates are of use today, and for how long.
enum CertificateCheck {
    /// Days before the end from which on there is a warning.
    static let notice = 14.0

    /// `flag` is what named the file. Of a chain each has to be valid, of authorities one.
    static func findings(
        _ file: String, flag: String, isChain: Bool, now: Timestamp = .now
    ) -> [Finding] {
        let subject = "\(flag) \(file)"
        // Who reads the settings has told of a file that cannot be read.
        guard access(file, R_OK) == 0 else { return [] }
        let certificates: [NIOSSLCertificate]
        do { certificates = try NIOSSLCertificate.fromPEMFile(file) } catch {
            return [.error(subject, "has no certificate in PEM", "name the certificate file from its authority")]
        }
        guard !certificates.isEmpty else {
            return [.error(subject, "has no certificate in PEM", "name the certificate file from its authority")]
        }
        let begins = certificates.map { Timestamp(seconds: Double($0.notValidBefore)) }
        let ends = certificates.map { Timestamp(seconds: Double($0.notValidAfter)) }
        return [
            isChain
                ? finding(subject, begins.max() ?? now, ends.min() ?? now, now)
                : finding(subject, begins.min() ?? now, ends.max() ?? now, now)
        ]
    }

    private static func finding(
        _ subject: String, _ begins: Timestamp, _ ends: Timestamp, _ now: Timestamp
    ) -> Finding {
        let clock = LocalTime(now: now)
        let advice = "replace the file: servers read it again automatically"
        if ends < now { return .error(subject, "has expired, \(clock.age(ends)) ago", advice) }
        if begins > now {
            return .error(
                subject, "is not valid before \(clock.text(begins))", "check the clock of this machine (timedatectl)")
        }
        let days = (ends.seconds - now.seconds) / 86_400
        let message = "is valid until \(clock.text(ends))"
        return days < notice
            ? .warning(subject, message + ", \(LocalTime.wait(days * 86_400)) from now", advice)
            : .good(subject, message)
    }
}
