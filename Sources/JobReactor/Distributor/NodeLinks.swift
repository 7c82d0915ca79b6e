internal import JobReactorCore

/// The links of a distributor to its nodes, by what the ``Dispatcher`` knows each node by. Each job asks for one.
struct NodeLinks {
    private var links: [NodeLink?] = []

    subscript(node: Dispatcher.NodeHandle) -> NodeLink? {
        get { links.indices.contains(node.index) ? links[node.index] : nil }
        set {
            while links.count <= node.index { links.append(nil) }
            links[node.index] = newValue
        }
    }

    var values: [NodeLink] { links.compactMap(\.self) }
}
