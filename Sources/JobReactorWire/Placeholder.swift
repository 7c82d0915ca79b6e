enum Placeholder_JobReactorWire {}
