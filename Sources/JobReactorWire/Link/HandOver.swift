package import JobReactorCore

/// One transfer of a job over one link. Its number is unique on the link: the first job has the number 1, and each
/// further job the next number. A job that is sent again gets a new number, so that an answer to the earlier hand-over
/// is never mistaken for one to the later.
package struct HandOver: Hashable, Sendable {
    package var number: Int
    package var id: JobID

    package init(_ number: Int, _ id: JobID) {
        self.number = number
        self.id = id
    }
}
