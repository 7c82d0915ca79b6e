package import JobReactorCore

/// One sending of a job over one link. Its number is unique on the link: the first job that goes over a link has the number
/// 1, and each that follows the next. A job that is sent again has another number, so that an answer to the earlier sending
/// is never taken for one to the later.
package struct HandOver: Hashable, Sendable {
    package var number: Int
    package var id: JobID

    package init(_ number: Int, _ id: JobID) {
        self.number = number
        self.id = id
    }
}
