enum Placeholder_JobReactorNode {}
