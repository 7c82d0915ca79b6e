enum Placeholder_JobReactorTesting {}
