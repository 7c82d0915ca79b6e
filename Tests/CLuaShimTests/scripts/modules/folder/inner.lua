return {name = 'folder/inner'}
