/// The release of this package.
public enum JobReactorVersion {
    public static let current = "0.2.0"
}
