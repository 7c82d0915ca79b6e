enum Placeholder_JobReactor {}
