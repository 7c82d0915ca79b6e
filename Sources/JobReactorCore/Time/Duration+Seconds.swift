extension Duration {
    /// All of it in seconds. One too long for a number of whole seconds is no error here: whoever takes the seconds has a limit.
    package var inSeconds: Double { self / .seconds(1) }
}
