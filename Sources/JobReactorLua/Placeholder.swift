enum Placeholder_JobReactorLua {}
